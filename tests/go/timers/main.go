// Timers, tickers, deadlines and contexts.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

func main() {
	start := time.Now()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("slept", time.Since(start) >= 50*time.Millisecond)

	select {
	case <-time.After(30 * time.Millisecond):
		fmt.Println("after")
	case <-time.After(20 * time.Second):
		fmt.Println("too late")
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	fmt.Println("five ticks")

	fired := make(chan string, 1)
	time.AfterFunc(10*time.Millisecond, func() { fired <- "function" })
	fmt.Println(<-fired)
	t := time.NewTimer(time.Hour)
	fmt.Println("stopped", t.Stop())
	t.Reset(time.Millisecond)
	<-t.C
	fmt.Println("reset")

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	<-ctx.Done()
	fmt.Println(ctx.Err(), errors.Is(ctx.Err(), context.DeadlineExceeded))
	cancel()
	ctx, cancel = context.WithCancel(context.WithValue(context.Background(), "key", "value"))
	var wg sync.WaitGroup
	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); <-ctx.Done() }()
	}
	cancel()
	wg.Wait()
	fmt.Println(ctx.Err(), ctx.Value("key"))

	// Many sleepers, none of which wakes early. In which order those wake whose time came while the machine was busy is
	// not defined.
	begin := time.Now()
	early := make(chan bool, 10)
	for i := 9; i >= 0; i-- {
		go func(d time.Duration) {
			time.Sleep(d)
			early <- time.Since(begin) < d
		}(time.Duration(i*100+20) * time.Millisecond)
	}
	count := 0
	for i := 0; i < 10; i++ {
		if <-early {
			count++
		}
	}
	fmt.Println("woken early:", count, "one after another:", time.Since(begin) > 4700*time.Millisecond)
	fmt.Println(time.Unix(1700000000, 0).UTC(), time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC).Weekday())
	d, err := time.ParseDuration("1h15m30.5s")
	fmt.Println(d, err, d.Seconds())
}
