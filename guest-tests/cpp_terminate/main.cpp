// An exception that nobody catches ends in abort, after a custom handler has spoken.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

int main() {
    std::set_terminate([] {
        std::puts("terminating");
        std::fflush(stdout);
        std::abort();
    });
    throw std::runtime_error("nobody listens");
}
