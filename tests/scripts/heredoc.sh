# Here-documents.
# core
# shells: bash zsh mksh ash
name=world
cat <<END
hello $name $((6 * 7)) $(echo sub) \$name `echo ticks`
END
cat <<'END'
literal $name $(no)
END
cat <<-END
	tabs are	gone
		from the start
	END
cat <<A; cat <<B
first
A
second
B
while read -r line; do echo "[$line]"; done <<END
one
  two

three\n
END
f() { cat; } <<END
for every call
END
f; f
x=$(cat <<END
inside "quotes" of a substitution
END
)
echo "$x"
cat <<END | tr a-z A-Z
piped $(cat <<INNER
nested
INNER
)
END
sh <<'END'
echo "a script of its own: $0"; exit 4
END
echo "status $?"
cat /dev/fd/3 - 3<<THREE <<END
three
THREE
zero
END
