import Testing

@testable import DocketMetrics

@Suite("The text that Prometheus scrapes")
struct ExpositionTests {
  @Test("A family is told with its help, its kind and its samples, with their labels")
  func family() {
    var family = MetricFamily(.counter, "docket_requests_total", help: "Requests.")
    family.add(3, ("kind", "read"), ("outcome", "ok"))
    family.add(0.5)
    #expect(
      Exposition.text(of: [family]) == """
        # HELP docket_requests_total Requests.
        # TYPE docket_requests_total counter
        docket_requests_total{kind="read",outcome="ok"} 3
        docket_requests_total 0.5

        """)
  }

  @Test("Backslashes, line breaks and quotes are escaped, quotes only in labels")
  func escapes() {
    var family = MetricFamily(.gauge, "one", help: "a \"quote\", a \\ and\na line")
    family.add(1, ("path", "c:\\\"x\"\n"))
    #expect(
      Exposition.text(of: [family]) == """
        # HELP one a "quote", a \\\\ and\\na line
        # TYPE one gauge
        one{path="c:\\\\\\"x\\"\\n"} 1

        """)
  }

  @Test("A histogram's buckets are added up, the last is +Inf, and sum and count follow")
  func histogram() {
    var distribution = Distribution(bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 3] { distribution.add(value) }
    var family = MetricFamily(.histogram, "time_seconds", help: "Time.")
    family.add(distribution, ("kind", "read"))
    #expect(
      Exposition.text(of: [family]) == """
        # HELP time_seconds Time.
        # TYPE time_seconds histogram
        time_seconds_bucket{kind="read",le="0.1"} 2
        time_seconds_bucket{kind="read",le="1"} 3
        time_seconds_bucket{kind="read",le="+Inf"} 4
        time_seconds_sum{kind="read"} 3.65
        time_seconds_count{kind="read"} 4

        """)
  }

  @Test("Numbers are written as Prometheus reads them")
  func numbers() {
    var family = MetricFamily(.gauge, "n", help: "")
    for value in [1e15, .infinity, -.infinity, .nan, 5e-05] { family.add(value) }
    #expect(
      Exposition.text(of: [family]).split(separator: "\n").dropFirst(2)
        == ["n 1000000000000000", "n +Inf", "n -Inf", "n NaN", "n 5e-05"])
  }

  @Test("A family without samples is not told")
  func empty() {
    #expect(Exposition.text(of: [MetricFamily(.gauge, "nothing", help: "Nothing.")]) == "")
  }
}

@Suite("Quantiles")
struct DistributionTests {
  @Test("A quantile lies in its bucket, where it would if values were spread evenly")
  func quantile() {
    var distribution = Distribution(bounds: [1, 2, 4])
    #expect(distribution.quantile(0.5) == nil)
    distribution.add(counts: [0, 10, 10, 0], sum: 0)
    #expect(distribution.quantile(0.5) == 2)
    #expect(distribution.quantile(0.25) == 1.5)
    #expect(distribution.quantile(0.75) == 3)
    #expect(distribution.quantile(1) == 4)
  }

  @Test("What is beyond the last bound is told as that")
  func beyond() {
    var distribution = Distribution(bounds: [1])
    distribution.add(100)
    #expect(distribution.quantile(0.5) == 1)
  }
}
