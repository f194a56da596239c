# Traps are printed so that they can be read back.
# shells: bash
trap 'echo "it'\''s over"' EXIT
trap 'echo hup' HUP
trap '' PIPE
trap
saved=$(trap)
trap - EXIT HUP PIPE
trap; echo none
eval "$saved"
trap -p HUP PIPE
trap - EXIT
trap -l | head -n 3
kill -l TERM; kill -l 9; kill -l 130
