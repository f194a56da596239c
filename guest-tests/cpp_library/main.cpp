// C++: streams, containers, exceptions through many frames, virtual calls, static construction and destruction.
#include <algorithm>
#include <chrono>
#include <complex>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

struct Noisy {
    std::string name;
    explicit Noisy(std::string n) : name(std::move(n)) { std::cout << "make " << name << '\n'; }
    ~Noisy() { std::cout << "drop " << name << '\n'; }
};
static Noisy global("global");

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};
struct Square : Shape {
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
};
struct Circle : virtual Shape {
    double radius;
    explicit Circle(double r) : radius(r) {}
    double area() const override { return 3.14159265358979 * radius * radius; }
};

static int thrower(int depth) {
    Noisy here("depth " + std::to_string(depth));
    if (depth == 0)
        throw std::out_of_range("bottom");
    return thrower(depth - 1) + 1;
}

int main() {
    std::cout << std::setw(8) << 42 << '|' << std::left << std::setw(8) << "text" << '|' << std::hex << 255 << std::dec
              << '|' << std::fixed << std::setprecision(4) << 3.14159265 << '|' << std::scientific << 12345.678 << '|'
              << std::boolalpha << true << '\n';
    std::cout.unsetf(std::ios::floatfield);
    try {
        thrower(4);
    } catch (const std::exception &e) {
        std::cout << "caught " << e.what() << ' ' << typeid(e).name() << '\n';
    }
    try {
        try {
            throw 42;
        } catch (int n) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::runtime_error &e) {
        try {
            std::rethrow_if_nested(e);
        } catch (int n) {
            std::cout << e.what() << " with " << n << '\n';
        }
    }
    try {
        std::vector<int> v(3);
        v.at(5) = 1;
    } catch (const std::out_of_range &) {
        std::cout << "out of range\n";
    }
    try {
        volatile std::size_t absurd = std::size_t(-1) / 4;
        delete[] new char[absurd];
    } catch (const std::bad_alloc &) {
        std::cout << "bad alloc\n";
    }
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Square>(2));
    shapes.push_back(std::make_unique<Circle>(1));
    for (auto &s : shapes)
        std::cout << s->area() << ' ' << (dynamic_cast<Circle *>(s.get()) != nullptr) << '\n';

    std::mt19937_64 random(42);
    std::vector<unsigned long> numbers(50000);
    std::generate(numbers.begin(), numbers.end(), std::ref(random));
    std::sort(numbers.begin(), numbers.end());
    std::cout << numbers.front() << ' ' << numbers[25000] << ' ' << numbers.back() << '\n';
    std::map<std::string, int> words;
    std::istringstream input("the cat and the dog and the bird");
    for (std::string w; input >> w;)
        words[w]++;
    for (auto &[w, n] : words)
        std::cout << w << '=' << n << ' ';
    std::unordered_map<int, std::string> table;
    for (int i = 0; i < 1000; i++)
        table[i * 7919] = std::to_string(i);
    std::cout << table.at(7919 * 500) << ' ' << table.size() << '\n';
    std::cout << std::regex_replace("call 555-1234 now", std::regex("([0-9]+)-([0-9]+)"), "$2-$1") << '\n';
    std::complex<double> z(1, 2);
    std::cout << z * z << ' ' << std::abs(z) << ' ' << std::exp(z) << '\n';
    std::ofstream("lines") << "one\ntwo\nthree\n";
    std::ifstream file("lines");
    int count = 0;
    for (std::string line; std::getline(file, line); count++)
        ;
    std::cout << count << " lines, missing opens " << std::ifstream("missing").is_open() << '\n';
    auto start = std::chrono::steady_clock::now();
    std::cout << "time goes on " << (std::chrono::steady_clock::now() >= start) << '\n';
    std::function<long(long)> fib = [&](long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); };
    std::cout << "fib " << fib(22) << std::endl;
    auto shared = std::make_shared<Noisy>("shared");
    std::weak_ptr<Noisy> weak = shared;
    shared.reset();
    std::cout << "expired " << weak.expired() << '\n';
    std::cerr << "to stderr\n";
    return 0;
}
