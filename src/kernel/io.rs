//! Reading and writing: read, write and their kin.
