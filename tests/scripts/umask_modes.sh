# File modes and umask.
# shells: bash zsh mksh ash
umask 022; touch a; mkdir da
umask 077; touch b; mkdir db
umask 000; touch c; umask
umask u=rwx,g=rx,o=; touch d; umask
for f in a b c d da db; do stat -c '%a %n' $f; done
chmod 640 a; chmod u+x,g-r b; chmod a=r c; stat -c '%a %n' a b c
[ -x b ] && echo "b runs"; [ -r a ] && echo readable
umask 022; (umask 007; touch e); stat -c %a e; umask
sh -c umask; echo x >f; stat -c '%a %s' f
chmod 755 f; cp -p f g; stat -c %a g; cp f h; chmod 600 h; stat -c %a h
