# Here-documents larger than a pipe.
# shells: bash zsh mksh ash
line=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde
text=$line
i=0
while [ $i -lt 12 ]; do text="$text
$text"; i=$((i + 1)); done
cat <<END | md5sum
$text
END
cat <<END | wc
$text
END
wc -l <<END
$text
$text
END
(sleep 0.1; head -n 1) <<END
$text
END
