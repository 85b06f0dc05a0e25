"""The two rates of every clip and every second of sound in this project; nothing else may write them as numbers."""

SAMPLE_RATE = 48000  # samples of sound a second (Hz)
FPS = 30  # frames of a stored clip a second
