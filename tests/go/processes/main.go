// os/exec: pipes, environment, statuses, timeouts, many children.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

func child(how string) {
	switch how {
	case "upper":
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			fmt.Println(strings.ToUpper(scanner.Text()))
		}
	case "status":
		fmt.Fprintln(os.Stderr, "to stderr")
		os.Exit(7)
	case "environment":
		fmt.Println(os.Getenv("GIVEN"), len(os.Environ()), len(os.Args))
		d, _ := os.Getwd()
		fmt.Println(d == "/")
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "wait":
		time.Sleep(30 * time.Second)
	case "extra":
		f := os.NewFile(3, "extra")
		io.Copy(os.Stdout, f)
	}
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1])
		return
	}
	self := "/proc/self/exe"
	command := exec.Command(self, "upper")
	command.Stdin = strings.NewReader("some\nlines\n")
	out, err := command.Output()
	fmt.Printf("%q %v\n", out, err)
	command = exec.Command(self, "status")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	err = command.Run()
	fmt.Println(err, command.ProcessState.ExitCode(), stderr.String())
	command = exec.Command(self, "environment", "more")
	command.Env, command.Dir = []string{"GIVEN=value"}, "/"
	out, err = command.CombinedOutput()
	fmt.Printf("%s%v\n", out, err)
	fmt.Println(exec.Command(self, "kill").Run())
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	fmt.Println(exec.CommandContext(ctx, self, "wait").Run())
	fmt.Println(exec.Command("/nonexistent").Run())
	r, w, _ := os.Pipe()
	command = exec.Command(self, "extra")
	command.ExtraFiles = []*os.File{r}
	command.Stdout = os.Stdout
	command.Start()
	r.Close()
	fmt.Fprintln(w, "through descriptor 3")
	w.Close()
	fmt.Println(command.Wait())
	command = exec.Command(self, "upper")
	in, _ := command.StdinPipe()
	pipe, _ := command.StdoutPipe()
	command.Start()
	reader := bufio.NewReader(pipe)
	for _, word := range []string{"a", "b", "c"} {
		fmt.Fprintln(in, word)
		line, _ := reader.ReadString('\n')
		fmt.Print(line)
	}
	in.Close()
	fmt.Println(command.Wait())
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := 0; i < 12; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			command := exec.Command(self, "upper")
			command.Stdin = strings.NewReader(strings.Repeat("x", i+1))
			out, err := command.Output()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sum += len(out)
			}
		}(i)
	}
	wg.Wait()
	fmt.Println("sum", sum)
	process, _ := os.StartProcess(self, []string{"x", "wait"}, &os.ProcAttr{})
	process.Signal(syscall.SIGTERM)
	state, err := process.Wait()
	fmt.Println(state, err, state.Sys().(syscall.WaitStatus).Signal())
}
