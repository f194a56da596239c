# Inodes, links, times and sizes of files that were there and of new ones.
mkdir -p tree/a/b tree/c
echo one > tree/a/one
ln tree/a/one tree/c/two
ln -s ../one tree/a/b/link
sleep 1
echo more >> tree/a/one
touch -d '2010-01-02 03:04:05' tree/c/three
ls -lniR --full-time .
find . | sort
find . -newer tree/a | sort
stat -c '%n %i %d %h %b %s %X %Y %Z' old tree/a/one tree/c/two tree tree/c/three
rm tree/c/two; echo new > tree/c/four; stat -c '%n %i %h' tree/a/one tree/c/four
du -a tree
stat -f -c '%a %b %c %d' .
df . | tail -n 1
