// Standard I/O on files: reading, writing, seeking, buffering, temporary files, errors, directories.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_dots(const struct dirent *e) {
    return e->d_name[0] != '.';
}

int main(void) {
    char line[200];
    int n = 0;
    while (fgets(line, sizeof line, stdin))
        printf("%d: %s", ++n, line);
    printf("eof %d error %d\n", feof(stdin) != 0, ferror(stdin) != 0);
    rewind(stdin);
    char *grown = NULL;
    size_t room = 0;
    printf("getline %zd %s", getline(&grown, &room, stdin), grown);
    int number;
    double fraction;
    printf("scanf %d", scanf("second, with %d numbers %lf", &number, &fraction));
    printf(" %d %g\n", number, fraction);

    FILE *f = fopen("data", "w+");
    if (!f)
        return 1;
    for (int i = 0; i < 10000; i++)
        fprintf(f, "record %05d\n", i);
    printf("at %ld\n", ftell(f));
    fseek(f, 13 * 5000, SEEK_SET);
    fgets(line, sizeof line, f);
    printf("middle %s", line);
    fseek(f, -13, SEEK_END);
    printf("%d", fgetc(f));
    ungetc('R', f);
    fgets(line, sizeof line, f);
    printf(" last %s", line);
    fseek(f, 7, SEEK_SET);
    fputs("ZZZZZ", f);
    fflush(f);
    fseek(f, 0, SEEK_SET);
    fgets(line, sizeof line, f);
    printf("changed %s", line);
    char block[4096];
    size_t total = 13, got;
    while ((got = fread(block, 1, sizeof block, f)) > 0)
        total += got;
    printf("total %zu\n", total);
    fclose(f);
    f = fopen("data", "a");
    fprintf(f, "appended\n");
    fclose(f);
    struct stat st;
    stat("data", &st);
    printf("size %ld mode %o\n", (long)st.st_size, st.st_mode & 0777);
    printf("fopen %d %s\n", fopen("missing/file", "r") == NULL, strerror(errno));
    printf("fopen %d %s\n", fopen(".", "w") == NULL, strerror(errno));
    printf("remove %d %s\n", remove("missing"), strerror(errno));
    f = fopen("data", "r");
    printf("write to a reader %d error %d\n", fputc('x', f) == EOF, ferror(f) != 0);
    setvbuf(f, NULL, _IONBF, 0);
    printf("unbuffered %c\n", fgetc(f));
    fclose(f);
    f = tmpfile();
    fputs("temporary", f);
    rewind(f);
    fgets(line, sizeof line, f);
    printf("%s\n", line);
    fclose(f);
    f = fmemopen(line, sizeof line, "w");
    fprintf(f, "in memory %d", 7);
    fclose(f);
    puts(line);
    char name[] = "unique-XXXXXX";
    int fd = mkstemp(name);
    printf("mkstemp %d %d\n", fd >= 0, strcmp(name, "unique-XXXXXX") != 0);
    unlink(name);
    close(fd);
    mkdir("dir", 0755);
    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "dir/entry-with-a-long-name-%03d", i);
        close(open(line, O_CREAT | O_WRONLY, 0644));
    }
    struct dirent **list;
    n = scandir("dir", &list, no_dots, alphasort);
    printf("entries %d %s %s\n", n, list[0]->d_name, list[n - 1]->d_name);
    rename("data", "dir/moved");
    printf("gone %d there %d\n", access("data", F_OK), access("dir/moved", R_OK));
    char cwd[4096];
    printf("chdir %d\n", chdir("dir"));
    printf("cwd ends right %d\n", getcwd(cwd, sizeof cwd) && !strcmp(cwd + strlen(cwd) - 4, "/dir"));
    perror("perror says");
    fprintf(stderr, "to stderr\n");
    return 0;
}
