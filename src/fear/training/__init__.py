"""Dataset → sampler → augmentation → loss → checkpoint. In torch; so far targets and losses."""
