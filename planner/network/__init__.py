"""The network of a plan: how many switches, optics and cables it takes, from radix, tiers and the floor plan."""
