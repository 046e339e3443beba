"""The OVN driver, for many machines; it takes the same Plan as the nftables one."""
