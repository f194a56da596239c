# Extended patterns.
# shells: bash mksh
[ -z "$BASH_VERSION" ] || shopt -s extglob
touch a ab abc abb b1 b22 b333 file.c file.h file.o
eval 'echo a?(b); echo a*(b); echo a+(b); echo !(file*|b*); echo @(a|b1); echo b+([0-9]); echo file.@(c|h)'
eval 'case aaab in +(a)b) echo many;; esac; case foo in !(bar)) echo not bar;; esac'
x=xxxabcxxx; eval 'echo ${x##+(x)} ${x%%+(x)}'
