// Signals to the program and the preemption of loops that never call anything.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	runtime.GOMAXPROCS(2)
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGUSR1} {
		syscall.Kill(os.Getpid(), s)
		fmt.Println("got", <-c)
	}
	signal.Ignore(syscall.SIGUSR2)
	syscall.Kill(os.Getpid(), syscall.SIGUSR2)
	fmt.Println("ignored", signal.Ignored(syscall.SIGUSR2))
	signal.Stop(c)

	// Loops without calls: only a signal can take the thread from them.
	var stop, spins int32
	for i := 0; i < 4; i++ {
		go func() {
			n := 0
			for atomic.LoadInt32(&stop) == 0 {
				n++
			}
			atomic.AddInt32(&spins, 1)
		}()
	}
	for i := 0; i < 5; i++ {
		time.Sleep(5 * time.Millisecond)
		runtime.GC()
	}
	atomic.StoreInt32(&stop, 1)
	for atomic.LoadInt32(&spins) < 4 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("preempted")

	// Faults become panics that can be recovered from.
	try := func(name string, f func()) {
		defer func() { fmt.Println(name, recover()) }()
		f()
	}
	var p *int
	var zero int
	var list []int
	var m map[string]int
	try("nil", func() { *p = 1 })
	try("division", func() { fmt.Println(1 / zero) })
	try("index", func() { fmt.Println(list[5]) })
	try("map", func() { m["x"] = 1 })
	try("type", func() { var i interface{} = "s"; fmt.Println(i.(int)) })
	try("own", func() { panic(fmt.Errorf("an error")) })
	signal.Notify(c, syscall.SIGTERM)
	go func() { time.Sleep(20 * time.Millisecond); syscall.Kill(os.Getpid(), syscall.SIGTERM) }()
	<-c
	signal.Reset(syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	time.Sleep(10 * time.Second)
	fmt.Println("not reached")
}
