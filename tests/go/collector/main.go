// The garbage collector under load, with finalizers and weak pools.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

type tree struct {
	left, right *tree
	payload     [4]int
}

func build(depth int) *tree {
	if depth == 0 {
		return &tree{payload: [4]int{1, 2, 3, 4}}
	}
	return &tree{build(depth - 1), build(depth - 1), [4]int{depth}}
}

func (t *tree) check() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.check() + t.right.check()
}

func main() {
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(20)
	long := build(12)
	var wg sync.WaitGroup
	totals := make([]int, 4)
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			for i := 0; i < 12; i++ {
				totals[w] += build(8).check()
				s := make([]string, 0)
				for j := 0; j < 100; j++ {
					s = append(s, fmt.Sprint(w, i, j))
				}
				totals[w] += len(s)
			}
		}(w)
	}
	wg.Wait()
	fmt.Println(totals, long.check())
	finalized := make(chan bool, 100)
	for i := 0; i < 20; i++ {
		t := build(2)
		runtime.SetFinalizer(t, func(*tree) { finalized <- true })
	}
	for i := 0; i < 20 && len(finalized) == 0; i++ {
		runtime.GC()
		runtime.Gosched()
	}
	<-finalized
	fmt.Println("finalized")
	m := map[string][]byte{}
	for i := 0; i < 3000; i++ {
		m[fmt.Sprint(i%700)] = make([]byte, 1000+i)
	}
	n := 0
	for _, v := range m {
		n += len(v)
	}
	fmt.Println(len(m), n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, long = nil, nil
	runtime.GC()
	debug.FreeOSMemory()
	runtime.ReadMemStats(&after)
	fmt.Println("collected", before.NumGC > 3, after.HeapAlloc < before.HeapAlloc)
	deep := 0
	var down func(int)
	down = func(n int) {
		var frame [64]int
		frame[n%64] = n
		if n > 0 {
			down(n - 1)
		}
		deep += frame[n%64] & 1
	}
	down(20000)
	fmt.Println("deep", deep)
}
