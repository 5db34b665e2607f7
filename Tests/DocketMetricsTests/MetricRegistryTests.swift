import CoreMetrics
import Testing

@testable import DocketMetrics

@Suite("A backend of swift-metrics")
struct MetricRegistryTests {
  private let registry = MetricRegistry(["group_size": .init("Sizes.", bounds: [1, 10])])

  private var lines: [Substring] { Exposition.text(of: registry.families).split(separator: "\n") }

  @Test("Counters of one name and labels count together; labels come in one order")
  func counters() {
    Counter(label: "hits_total", dimensions: [("b", "1"), ("a", "2")], factory: registry).increment(by: 2)
    Counter(label: "hits_total", dimensions: [("a", "2"), ("b", "1")], factory: registry).increment()
    Counter(label: "hits_total", dimensions: [("a", "3"), ("b", "1")], factory: registry).increment()
    FloatingPointCounter(label: "seconds_total", factory: registry).increment(by: 0.5)
    #expect(lines.contains(#"hits_total{a="2",b="1"} 3"#) && lines.contains("seconds_total 0.5"))
    #expect(lines.filter { $0.hasPrefix("# TYPE hits_total") } == ["# TYPE hits_total counter"])
    #expect(registry.total(of: "hits_total") == 4)
    #expect(registry.total(of: "hits_total", where: (name: "a", value: "2")) == 3)
  }

  @Test("Meters and gauges tell what they were set to last")
  func gauges() {
    let meter = Meter(label: "open", factory: registry)
    meter.increment(by: 3)
    meter.decrement()
    Gauge(label: "level", factory: registry).record(7)
    Gauge(label: "level", factory: registry).record(5)
    #expect(lines.contains("open 2") && lines.contains("level 5") && lines.contains("# TYPE level gauge"))
  }

  @Test("A recorder is a histogram with the bounds that are known of its name")
  func recorders() {
    let sizes = Recorder(label: "group_size", factory: registry)
    for size in [1, 2, 11] { sizes.record(size) }
    #expect(
      lines == [
        "# HELP group_size Sizes.", "# TYPE group_size histogram", #"group_size_bucket{le="1"} 1"#,
        #"group_size_bucket{le="10"} 2"#, #"group_size_bucket{le="+Inf"} 3"#, "group_size_sum 14", "group_size_count 3",
      ])
    #expect(registry.distribution(of: "group_size")?.count == 3)
  }

  @Test("A timer is a histogram of seconds, whatever its unit is called")
  func timers() {
    Timer(label: "sync", factory: registry).recordMilliseconds(20)
    #expect(lines.contains("sync_seconds_sum 0.02") && lines.contains(#"sync_seconds_bucket{le="0.025"} 1"#))
  }

  @Test("A name that Prometheus would not take becomes one")
  func names() {
    Counter(label: "http.requests-1", dimensions: [("the path", "/")], factory: registry).increment()
    Counter(label: "9lives", factory: registry).increment()
    #expect(lines.contains(#"http_requests_1{the_path="/"} 1"#) && lines.contains("_9lives 1"))
  }

  @Test("What is destroyed is not told any more")
  func destroyed() {
    let counter = Counter(label: "gone_total", factory: registry)
    counter.increment()
    counter.destroy()
    #expect(lines.isEmpty)
  }

  @Test("The process is known under the names that all clients of Prometheus use")
  func process() throws {
    let figures = try #require(ProcessFigures.read())
    #expect(figures.residentBytes > 1 << 20 && figures.openDescriptors > 2 && figures.cpuSeconds > 0)
    #expect(figures.maximumDescriptors >= figures.openDescriptors && figures.startSeconds > 1_600_000_000)
    #expect(
      figures.families.map(\.name) == [
        "process_cpu_seconds_total", "process_start_time_seconds", "process_resident_memory_bytes",
        "process_virtual_memory_bytes", "process_open_fds", "process_max_fds",
      ])
  }
}
