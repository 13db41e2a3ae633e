"""Plans beside each other: one portfolio at several loop set-points, or two runs quarter by quarter."""
