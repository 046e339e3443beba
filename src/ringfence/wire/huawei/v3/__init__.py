"""Huawei Cloud VPC version 3 (apis/huawei.md 3.6)."""
