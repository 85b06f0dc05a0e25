"""The errors a user can cause or meet. A message is one line: what is wrong, where, what was expected, what to do."""


class L3Error(Exception):
    """Base of every error that is reported as one line, without a traceback, with exit code 1."""


class ConfigError(L3Error):
    """A configuration, filter or command line that cannot be used."""


class ClipError(L3Error):
    """A clip, list of clips or media file that cannot be used."""


class ShardError(L3Error):
    """A shard or an index of shards that cannot be used."""


class DatasetError(L3Error):
    """A downstream data set, or what was computed from it, that cannot be used."""


class WeightsError(L3Error):
    """A checkpoint, model or released weights file that cannot be used."""


class TransferError(L3Error):
    """A file that cannot be fetched from its address."""
