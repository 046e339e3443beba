"""Ringfence: security groups that explain every verdict and prove by packets that the explanation is true."""
