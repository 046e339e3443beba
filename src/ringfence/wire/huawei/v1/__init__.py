"""Version 1 of Huawei's VPC API: paths below ``/v1`` (apis/huawei.md 3.7)."""
