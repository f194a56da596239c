# cd, pwd and links.
# shells: bash zsh mksh ash
top=$PWD
mkdir -p a/b/c; ln -s a/b short
cd a; echo "${PWD#"$top"}"; cd ..; cd short; echo "${PWD#"$top"}"
pwd -P | sed "s|.*/w||"; cd ..; echo "${PWD#"$top"}."
cd -P short; echo "${PWD#"$top"}"; cd "$top"
cd a/b; cd "$OLDPWD"; echo "${PWD#"$top"}."; cd - >/dev/null; echo "${PWD#"$top"}"
cd "$top"; (cd missing) 2>/dev/null || echo "no such directory"
CDPATH=$top/a; cd b >/dev/null; echo "${PWD#"$top"}"; unset CDPATH; cd "$top"
mkdir gone; cd gone; rmdir ../gone; cd .. && echo "back from a removed one"
cd ~ && [ "$PWD" = "$HOME" ] && echo home
