// C++20 threads: jthread, stop tokens, async and futures, latches, barriers, semaphores, atomic waits, shared mutexes,
// destructors of thread-local objects, exceptions over threads.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <mutex>
#include <numeric>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::atomic<int> alive{0};

struct Local {
    int n = 0;
    Local() { ++alive; }
    ~Local() { --alive; }
};

static thread_local Local local;

static long sum_to(int n)
{
    long s = 0;
    for (int i = 1; i <= n; i++)
        s += i;
    return s;
}

static void futures()
{
    std::vector<std::future<long>> all;
    for (int i = 0; i < 8; i++)
        all.push_back(std::async(std::launch::async, sum_to, i * 1000));
    long total = 0;
    for (auto &f : all)
        total += f.get();
    std::printf("async %ld\n", total);
    auto bad = std::async(std::launch::async, []() -> int { throw std::runtime_error("from a thread"); });
    try {
        bad.get();
    } catch (const std::exception &e) {
        std::printf("caught %s\n", e.what());
    }
    std::promise<std::string> promise;
    auto later = promise.get_future();
    std::printf("not ready %d\n", later.wait_for(5ms) == std::future_status::timeout);
    std::thread t([&] { promise.set_value("kept"); });
    std::printf("promise %s\n", later.get().c_str());
    t.join();
    std::packaged_task<int(int)> task([](int x) { return x * x; });
    auto squared = task.get_future();
    std::thread(std::move(task), 12).join();
    std::printf("task %d\n", squared.get());
}

static void stop()
{
    std::atomic<int> rounds{0};
    std::condition_variable_any cv;
    std::mutex m;
    {
        std::jthread spinner([&](std::stop_token st) {
            while (!st.stop_requested())
                ++rounds;
        });
        std::jthread sleeper([&](std::stop_token st) {
            std::unique_lock lock(m);
            bool woken = cv.wait(lock, st, [] { return false; });
            std::printf("sleeper stopped, woken %d\n", woken);
        });
        std::this_thread::sleep_for(30ms);
    }
    std::printf("spun %d\n", rounds > 0);
}

static void meetings()
{
    constexpr int n = 5;
    std::latch start(1), done(n);
    std::barrier meet(n, []() noexcept { std::printf("all there\n"); });
    std::counting_semaphore<8> permits(2);
    std::atomic<int> inside{0}, most{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < n; i++)
        threads.emplace_back([&] {
            local.n++;
            start.wait();
            for (int round = 0; round < 3; round++)
                meet.arrive_and_wait();
            permits.acquire();
            int now = ++inside;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);)
                ;
            std::this_thread::yield();
            --inside;
            permits.release();
            done.count_down();
        });
    start.count_down();
    done.wait();
    threads.clear();
    std::printf("most inside at most 2: %d, locals alive %d\n", most <= 2, alive.load());
}

static void atomic_waits()
{
    std::atomic<int> word{0};
    std::jthread ping([&] {
        for (int i = 0; i < 200; i += 2) {
            word.wait(i + 1);
            while (word != i)
                word.wait(word);
            word = i + 1;
            word.notify_all();
        }
    });
    for (int i = 1; i < 200; i += 2) {
        while (word != i)
            word.wait(word);
        word = i + 1;
        word.notify_all();
    }
    ping.join();
    std::printf("ping-pong %d\n", word.load());
}

static void readers_and_writers()
{
    std::shared_mutex m;
    std::vector<int> data(1, 0);
    bool whole = true;
    {
        std::vector<std::jthread> threads;
        for (int w = 0; w < 2; w++)
            threads.emplace_back([&] {
                for (int i = 0; i < 300; i++) {
                    std::unique_lock lock(m);
                    data.push_back(data.back() + 1);
                }
            });
        for (int r = 0; r < 4; r++)
            threads.emplace_back([&] {
                for (int i = 0; i < 300; i++) {
                    std::shared_lock lock(m);
                    if (data.back() != (int)data.size() - 1)
                        whole = false;
                }
            });
    }
    std::printf("data %zu whole %d\n", data.size(), whole);
    std::timed_mutex t;
    t.lock();
    std::jthread([&] { std::printf("try for %d\n", t.try_lock_for(5ms)); }).join();
    t.unlock();
    std::once_flag once;
    int calls = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; i++)
            threads.emplace_back([&] { std::call_once(once, [&] { calls++; }); });
    }
    std::printf("called %d\n", calls);
}

int main()
{
    local.n = 1;
    futures();
    stop();
    meetings();
    atomic_waits();
    readers_and_writers();
    std::printf("end, locals alive %d\n", alive.load());
}
