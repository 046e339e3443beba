"""The nftables driver: a Plan becomes one table per VPC namespace, changed by one transaction at a time."""
