// Arguments, environment, output and an exit status.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Println("hello", len(os.Args), os.Getenv("TERM"), runtime.GOOS)
	println("to stderr")
	defer fmt.Println("not printed")
	os.Exit(3)
}
