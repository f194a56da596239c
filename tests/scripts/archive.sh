# tar, gzip and cpio in pipelines.
# shells: bash zsh mksh ash
mkdir -p src/sub; for i in 1 2 3; do seq $i 1000 >src/f$i; done; ln -s f1 src/link; echo deep >src/sub/deep
tar cf - src | (mkdir copy; cd copy; tar xf -)
diff -r src copy/src && echo equal; readlink copy/src/link
tar czf a.tgz src; tar tzf a.tgz | sort; gzip -dc a.tgz | tar tf - | wc -l
(cd src; find . | cpio -o -H newc 2>/dev/null) >a.cpio; mkdir c2; (cd c2; cpio -id <../a.cpio 2>/dev/null); diff -r src c2 && echo "cpio too"
gzip -c src/f1 | gunzip | cmp - src/f1 && echo gzip; bzip2 -c src/f1 | bunzip2 | cmp - src/f1 && echo bzip2
tar cf - src | gzip | gunzip | md5sum >/dev/null && echo piped
find src -type f | sort | xargs md5sum >sums; md5sum -c sums | tail -n 1; sha256sum src/f2 | cut -c1-16
rm -r copy c2 src a.tgz a.cpio
