"""Files, whatever they hold: written whole or not at all, growing HDF5 datasets, digests, readers of what
somebody else may have made, and the one line that an error of the file system becomes."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "folders": ["files_below", "holds", "is_of_a_system", "printable"],
        "foreign": [
            "Fields",
            "foreign",
            "parse_json",
            "read_fields",
            "read_json",
            "read_text",
        ],
        "foreign_archives": [
            *("check_end_of_tar", "open_foreign_tar", "open_foreign_zip"),
            *("read_member", "read_npy_header", "read_npz", "read_to_end"),
        ],
        "foreign_hdf5": ["ForeignHdf5", "open_foreign_hdf5"],
        "foreign_tables": ["check_text_file", "is_cut_in_a_line", "read_csv"],
        "foreign_yaml": ["check_yaml"],
        "hdf5": ["OutputFile", "append_rows", "growing_dataset"],
        "kept": ["kept_while_unchanged", "read_kept", "sha256_of", "stable_hash"],
        "system_errors": ["file_system_line", "system_errno"],
    },
)
