// An HTTP server and its clients in one program, on loopback.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello %s", r.URL.Query().Get("name")) })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		io.Copy(w, r.Body)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]interface{}{"path": r.URL.Path, "list": []int{1, 2, 3}})
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(w, strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(10 * time.Second):
		case <-r.Context().Done():
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println("listen:", err)
		return
	}
	server := &http.Server{Handler: mux}
	finished := make(chan error)
	go func() { finished <- server.Serve(listener) }()
	base := "http://" + listener.Addr().String()

	get := func(path string) string {
		r, err := http.Get(base + path)
		if err != nil {
			return err.Error()
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		return fmt.Sprint(r.StatusCode, " ", len(body), " ", string(body[:min(len(body), 60)]), err)
	}
	fmt.Println(get("/hello?name=world"))
	fmt.Println(get("/json"))
	fmt.Println(get("/big"))
	fmt.Println(get("/missing"))
	r, err := http.Post(base+"/echo", "text/plain", bytes.NewReader(bytes.Repeat([]byte("abc"), 50000)))
	if err == nil {
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		fmt.Println(r.Header.Get("X-Method"), len(body))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for i := 0; i < 40; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			want := fmt.Sprintf("200 %d hello n%d<nil>", len(fmt.Sprint("hello n", i)), i)
			got := get(fmt.Sprintf("/hello?name=n%d", i))
			mu.Lock()
			defer mu.Unlock()
			if got == want {
				good++
			} else {
				fmt.Println("wrong:", got)
			}
		}(i)
	}
	wg.Wait()
	fmt.Println("parallel", good)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	request, _ := http.NewRequestWithContext(ctx, "GET", base+"/slow", nil)
	_, err = http.DefaultClient.Do(request)
	fmt.Println("slow:", strings.Contains(fmt.Sprint(err), "deadline exceeded"))
	cancel()
	ctx, cancel = context.WithTimeout(context.Background(), 5*time.Second)
	http.DefaultClient.CloseIdleConnections()
	fmt.Println("shutdown", server.Shutdown(ctx), <-finished)
	cancel()

	_, err = net.Dial("tcp", listener.Addr().String())
	fmt.Println("refused", strings.Contains(fmt.Sprint(err), "connection refused"))
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		buffer := make([]byte, 100)
		n, from, _ := udp.ReadFrom(buffer)
		udp.WriteTo(bytes.ToUpper(buffer[:n]), from)
	}()
	c, _ := net.Dial("udp", udp.LocalAddr().String())
	c.Write([]byte("datagram"))
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	buffer := make([]byte, 100)
	n, err := c.Read(buffer)
	fmt.Println(string(buffer[:n]), err)
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = c.Read(buffer)
	fmt.Println("timeout", err.(net.Error).Timeout())
	dir, _ := net.Listen("unix", "socket")
	go func() { c, _ := dir.Accept(); io.Copy(c, c); c.Close() }()
	u, err := net.Dial("unix", "socket")
	if err == nil {
		u.Write([]byte("through a unix socket"))
		u.(*net.UnixConn).CloseWrite()
		all, _ := io.ReadAll(u)
		fmt.Println(string(all))
	}
	dir.Close()
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
