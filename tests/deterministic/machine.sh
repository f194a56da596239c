# What the machine says of itself.
uname -a
nproc
grep -c ^processor /proc/cpuinfo
head -n 3 /proc/meminfo
cat /proc/loadavg /proc/self/maps
free
ulimit -n
ps
hostname
