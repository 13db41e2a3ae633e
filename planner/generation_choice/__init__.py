"""Which generation of racks for which speed of tokens: Grace Blackwell against Vera Rubin on measured curves."""
