//! Files and directories: names, metadata, open.
