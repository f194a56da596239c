// Exceptions through a signal frame: the unwinder must recognise it.
#include <csignal>
#include <cstdio>
#include <stdexcept>

static volatile int *nowhere = reinterpret_cast<int *>(16);

struct Loud {
    const char *name;
    ~Loud() { std::printf("leaving %s\n", name); }
};

static void handler(int) {
    Loud loud{"handler"};
    throw std::runtime_error("thrown by a handler");
}

__attribute__((noinline)) static void fault() {
    Loud loud{"fault"};
    *nowhere = 1;
    std::printf("not reached\n");
}

int main() {
    struct sigaction sa = {};
    sa.sa_handler = handler;
    sa.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &sa, nullptr);
    for (int i = 0; i < 3; i++) {
        try {
            fault();
        } catch (const std::exception &e) {
            std::printf("caught: %s\n", e.what());
        }
    }
    return 0;
}
