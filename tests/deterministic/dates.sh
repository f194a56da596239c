# Clocks, sleeping, names of temporary files, random numbers.
date
date +%s
sleep 3.5
date +%T
mktemp -u
mktemp -d ./tmp.XXXXXX
echo $RANDOM $RANDOM $RANDOM
head -c 16 /dev/urandom | od -An -tx1
cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id
cat /proc/uptime
time -p sleep 1 2>&1
