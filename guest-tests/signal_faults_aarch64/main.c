// The same program for aarch64, where its output has no reference to run.
#include "../signal_faults/main.c"
