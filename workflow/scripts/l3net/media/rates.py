"""The two rates that every clip and every second of sound has here."""

SAMPLE_RATE = 48000  # samples of sound a second, in Hz
FPS = 30  # frames of a stored clip a second
