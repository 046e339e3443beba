"""Huawei Cloud VPC v3, v1 and v2.0."""
