// Goroutines over four threads, channels, select and sync.
package main

import (
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
)

func worker(jobs <-chan int, results chan<- [2]int, wg *sync.WaitGroup) {
	defer wg.Done()
	for n := range jobs {
		results <- [2]int{n, n * n}
	}
}

func sieve(limit int) []int {
	source := make(chan int)
	go func(out chan<- int) {
		for i := 2; i < limit; i++ {
			out <- i
		}
		close(out)
	}(source)
	var primes []int
	for {
		p, ok := <-source
		if !ok {
			return primes
		}
		primes = append(primes, p)
		next := make(chan int)
		go func(in <-chan int, out chan<- int, p int) {
			for n := range in {
				if n%p != 0 {
					out <- n
				}
			}
			close(out)
		}(source, next, p)
		source = next
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	jobs, results := make(chan int, 10), make(chan [2]int)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go worker(jobs, results, &wg)
	}
	go func() {
		for i := 0; i < 500; i++ {
			jobs <- i
		}
		close(jobs)
		wg.Wait()
		close(results)
	}()
	squares := map[int]int{}
	for r := range results {
		squares[r[0]] = r[1]
	}
	sum := 0
	for _, s := range squares {
		sum += s
	}
	fmt.Println("squares", len(squares), sum)
	fmt.Println("primes", sieve(200))

	var mu sync.Mutex
	var counter, atomicCounter int64
	var group sync.WaitGroup
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 200; j++ {
				mu.Lock()
				counter++
				mu.Unlock()
				atomic.AddInt64(&atomicCounter, 1)
				if j%50 == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	group.Wait()
	fmt.Println("counted", counter, atomicCounter)

	var rw sync.RWMutex
	shared := map[string]int{}
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			key := fmt.Sprint(i % 5)
			rw.Lock()
			shared[key] += i
			rw.Unlock()
			rw.RLock()
			_ = shared[key]
			rw.RUnlock()
		}(i)
	}
	group.Wait()
	var keys []string
	for k := range shared {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Print(k, "=", shared[k], " ")
	}
	fmt.Println()

	cond := sync.NewCond(&mu)
	turn := 0
	for i := 0; i < 5; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			mu.Lock()
			for turn != i {
				cond.Wait()
			}
			fmt.Print("turn ", i, " ")
			turn++
			cond.Broadcast()
			mu.Unlock()
		}(i)
	}
	group.Wait()
	fmt.Println()

	var once sync.Once
	ran := int32(0)
	for i := 0; i < 10; i++ {
		group.Add(1)
		go func() { defer group.Done(); once.Do(func() { atomic.AddInt32(&ran, 1) }) }()
	}
	group.Wait()
	fmt.Println("once", ran)

	a, b, done := make(chan int), make(chan string), make(chan bool)
	go func() {
		for i := 0; i < 3; i++ {
			a <- i
		}
		for i := 0; i < 3; i++ {
			b <- fmt.Sprint("s", i)
		}
		close(done)
	}()
	for {
		select {
		case n := <-a:
			fmt.Print("int ", n, " ")
			continue
		case s := <-b:
			fmt.Print("string ", s, " ")
			continue
		case <-done:
			fmt.Println("done")
		}
		break
	}
	select {
	case <-a:
		fmt.Println("unexpected")
	default:
		fmt.Println("nothing ready")
	}
	ping, pong := make(chan int), make(chan int)
	go func() {
		for n := range ping {
			pong <- n + 1
		}
		close(pong)
	}()
	n := 0
	for i := 0; i < 5000; i++ {
		ping <- n
		n = <-pong
	}
	close(ping)
	fmt.Println("ping pong", n)
}
