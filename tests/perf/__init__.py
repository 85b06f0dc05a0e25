"""Speed as ratios, each measured side by side in one run. Nothing here is a test; nothing is asserted."""
