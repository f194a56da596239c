# Threads that take turns by chance.
import hashlib, json, os, random, threading, time, uuid

lock, order = threading.Lock(), []

def work(n):
    for i in range(4):
        time.sleep(random.random() / 200)
        sum(k * k for k in range(2000 * (n + 1)))
        with lock:
            order.append((n, i))

threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(order)
print(hash("text"), id(order), uuid.uuid4(), time.time(), time.perf_counter_ns(), time.process_time_ns())
print(json.dumps(sorted({"b", "a", "c"})), list({"x", "y", "z"}), hashlib.sha256(os.urandom(32)).hexdigest())
print(os.getpid(), os.cpu_count(), os.listdir("."), os.stat("old"))
