"""Recipe → sampler → crops → photometric changes → losses → checkpoint. In torch and Lightning."""
