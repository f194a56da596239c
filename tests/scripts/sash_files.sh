# The commands built into sash.
# shells: sash
-mkdir d d/sub
-echo one two
-touch d/a d/b
-cp d/a d/c
-ls d
-mv d/c d/sub
-ls d/sub
-ln -s a d/link
-ls d
-chmod 600 d/a
-cmp d/a d/b
-sum d/a
-rm d/b
-ls d
cd d
-ls
-printenv TERM
umask
-find . -type f
-dd if=/dev/zero of=zeros bs=100 count=3
-gzip zeros
-gunzip zeros.gz
-tar cf t.tar a sub
-tar tf t.tar
-mkdir out
cd out
-tar xf ../t.tar
cd ..
-ls out out/sub
-rm t.tar
-grep -n x a
exit
