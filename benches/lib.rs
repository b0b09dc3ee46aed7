//! What it costs: the raw system call, ours and the peers, in one run. Each group is a file beside this one.
