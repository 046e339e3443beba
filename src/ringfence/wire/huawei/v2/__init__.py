"""Version 2.0 of Huawei's VPC API, which is like Neutron's: paths below ``/v2.0`` (apis/huawei.md 3.7)."""
