"""Instances as network namespaces with real listeners, and the proof by packets that model and kernel agree."""
