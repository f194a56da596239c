# Child processes, pipes and a pool of threads that waits for them.
import concurrent.futures, os, subprocess, sys, tempfile

def run(n):
    code = f"import os, random; print({n}, os.getpid(), random.random())"
    return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True).stdout.strip()

with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for line in pool.map(run, range(4)):
        print(line)
print(tempfile.mktemp(dir="."))
