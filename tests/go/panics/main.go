// A panic in a goroutine ends the program with its stack and status 2.
package main

import (
	"fmt"
	"os"
)

type failure struct{ code int }

func (f failure) Error() string { return fmt.Sprint("failure ", f.code) }

func inner(n int) int {
	if n == 0 {
		panic(failure{42})
	}
	return inner(n-1) + 1
}

func main() {
	defer fmt.Println("deferred in main does not run")
	fmt.Println("before")
	func() {
		defer func() {
			r := recover()
			fmt.Println("recovered", r)
		}()
		inner(3)
	}()
	os.Stdout.Sync()
	done := make(chan int)
	go func() {
		defer fmt.Println("deferred in the goroutine")
		done <- inner(2)
	}()
	<-done
}
