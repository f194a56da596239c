//! From an ELF file to a process that is ready to run.
