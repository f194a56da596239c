// Copies a file, and believes that read gives as much as it is asked for.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 64, RECORDS = 40 };

int main(void)
{
    int fd = open("records", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char record[RECORD];
    for (int i = 0; i < RECORDS; i++) {
        memset(record, 'a' + i % 26, RECORD);
        write(fd, record, RECORD);
    }
    lseek(fd, 0, SEEK_SET);
    for (int i = 0; i < RECORDS; i++) {
        memset(record, 0, RECORD);
        if (read(fd, record, RECORD) < 0)
            exit(2);
        // The bug: a short read is not gone on with.
        if (record[RECORD - 1] != 'a' + i % 26)
            exit(3);
    }
    return 0;
}
