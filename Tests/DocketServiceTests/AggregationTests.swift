import DocketService
import DocketTestSupport
import Testing

@Suite("Aggregates")
struct AggregationTests {
  private func groups(_ documents: [String], _ data: String) async throws -> String {
    let service = try QueryService()
    for (index, document) in documents.enumerated() { try await service.put("/a/", ["\(index)": document]) }
    let answer = await service.get("/a/", data)
    #expect(answer.code == 200, "\(answer.data)")
    return answer.data
  }

  @Test(
    "compute over the values that are there",
    arguments: [
      ([], #"{"groups": [{"n": 0, "sum": 0, "avg": null, "min": null, "max": null}], "next": null}"#),
      (
        ["1", "{}", #"{"a": "x"}"#],
        #"{"groups": [{"n": 3, "sum": 0, "avg": null, "min": "x", "max": "x"}], "next": null}"#
      ),
      (
        [#"{"a": 1}"#, #"{"a": 2}"#, #"{"a": 12.5}"#, #"{"a": "2"}"#],
        #"{"groups": [{"n": 4, "sum": 15.5, "avg": 5.166666666666667, "min": 1, "max": "2"}], "next": null}"#
      ),
      (
        [#"{"a": 9223372036854775806}"#, #"{"a": 1}"#],
        #"{"groups": [{"n": 2, "sum": 9223372036854775807, "avg": 4.611686018427388e+18, "min": 1, "max": 9223372036854775806}], "next": null}"#
      ),
      (
        [#"{"a": 9223372036854775807}"#, #"{"a": 9223372036854775807}"#],
        #"{"groups": [{"n": 2, "sum": 1.8446744073709552e+19, "avg": 9.223372036854776e+18, "min": 9223372036854775807, "max": 9223372036854775807}], "next": null}"#
      ),
      (
        [#"{"a": 1e400}"#, #"{"a": false}"#, #"{"a": [0]}"#, #"{"a": "\ud800"}"#],
        #"{"groups": [{"n": 4, "sum": null, "avg": null, "min": false, "max": "\ud800"}], "next": null}"#
      ),
      (
        [#"{"a": null}"#, #"{"a": -0}"#],
        #"{"groups": [{"n": 2, "sum": 0, "avg": 0.0, "min": null, "max": -0}], "next": null}"#
      ),
    ])
  func values(documents: [String], answer: String) async throws {
    let data =
      #"{"aggregate": {"n": "count", "sum": {"sum": "a"}, "avg": {"avg": "a"}, "min": {"min": "a"}, "max": {"max": "a"}}}"#
    #expect(try await groups(documents, data) == answer)
  }

  @Test("come in groups of equal values, in their order; documents without one come first")
  func grouped() async throws {
    let documents = ["\"b\"", "1.0", "null", "1", "10e-1", "[1, 2]", "\"\\u0062\"", "[1,2.0]", "true", "{}"]
      .map { #"{"g": \#($0), "n": 1}"# }
    let data = #"{"aggregate": {"n": "count"}, "groupBy": "g"}"#
    #expect(
      try await groups(documents + ["{}"], data)
        == #"{"groups": [{"n": 1}, {"group": null, "n": 1}, {"group": true, "n": 1}, {"group": 1, "n": 3}, {"group": "\u0062", "n": 2}, {"group": [1, 2], "n": 2}, {"group": {}, "n": 1}], "next": null}"#
    )
    let none = #"{"aggregate": {"n": "count"}, "groupBy": "g", "where": {"x": 1}}"#
    #expect(try await groups(documents, none) == #"{"groups": [], "next": null}"#)
    let ids =
      #"{"aggregate": {"r": {"max": "@revision"}, "i": {"min": "@id"}}, "groupBy": "@id", "where": {"g": true}}"#
    #expect(try await groups(documents, ids) == #"{"groups": [{"group": "8", "r": 9, "i": "8"}], "next": null}"#)
    let times = try await groups(["1"], #"{"aggregate": {"t": {"max": "@updated"}}, "groupBy": "@created"}"#)
    #expect(times.hasPrefix(#"{"groups": [{"group": "20"#) && times.hasSuffix(#"Z"}], "next": null}"#))
  }

  @Test("show of equal values the same text, in whatever order the documents come")
  func orderOfDocuments() async throws {
    var generator = SeededGenerator.forTest(named: "AggregationTests.orderOfDocuments")
    let documents = [
      "1.0", "10e-1", "1", #"{"b":1}"#, #"{"a":2, "b": 1}"#, #"{"b":1, "a":2.0}"#, "[2.0]", "[2]", "[ 2]",
    ]
    .map { #"{"g": \#($0)}"# }
    let data = #"{"aggregate": {"min": {"min": "g"}, "max": {"max": "g"}}, "groupBy": "g"}"#
    for _ in 0..<30 {
      #expect(
        try await groups(documents.shuffled(using: &generator), data)
          == #"{"groups": [{"group": 1, "min": 1, "max": 1}, {"group": [ 2], "min": null, "max": null}, {"group": {"a":2, "b": 1}, "min": null, "max": null}, {"group": {"b":1}, "min": null, "max": null}], "next": null}"#
      )
    }
  }

  @Test(
    "add doubles to the same sum in whatever order they come",
    arguments: [
      ([".3", ".2", ".1"].map { "0" + $0 }, "0.6", "0.19999999999999998"),
      (["1e308", "1e308", "-1e308"], "1e+308", nil),
      (["1e16", "1.0", "-1e16", "1"], "2.0", "0.5"),
      (["9007199254740993", "0.5", "-9007199254740992.0"], "1.5", "0.5"),
      (["1.7e308", "1.7e308"], "null", "null"), (["1e400", "-1e400", "1"], "null", "null"),
      (["5e-324", "5e-324", "1e300", "-1e300"], "1e-323", "0.0"), (["5e-324", "-5e-324"], "0.0", "0.0"),
    ] as [([String], String, String?)])
  func sums(numbers: [String], sum: String, average: String?) async throws {
    var generator = SeededGenerator.forTest(named: "AggregationTests.sums")
    for _ in 0..<20 {
      let documents = numbers.shuffled(using: &generator).map { #"{"a": \#($0)}"# }
      let answer = try await groups(documents, #"{"aggregate": {"sum": {"sum": "a"}, "avg": {"avg": "a"}}}"#)
      #expect(answer.hasPrefix(#"{"groups": [{"sum": \#(sum), "avg": \#(average ?? "")"#), "\(answer)")
    }
  }

  @Test("are refused where there are too many groups, or their values are too large")
  func refusals() async throws {
    let small = try QueryService(limits: ServiceLimits(pageBytes: 30))
    try await small.put("/a/", ["1": #"{"g": "0123456789"}"#, "2": #"{"g": "01234567890"}"#])
    let query = "/a/?aggregate={\"n\":\"count\"}&groupBy=g"
    #expect(await small.get(query).code == 200)
    try await small.put("/a/", ["3": #"{"g": "012345"}"#])
    let answer = await small.get(query)
    #expect(answer.code == 400 && answer.data.contains("too_many_groups"))
    let most = await small.get("/a/?aggregate={\"m\":{\"max\":\"g\"}}")
    #expect(most.code == 200)

    let service = try QueryService()
    let batch = (0...10_000).map { #"{"method": "PUT", "path": "/a/\#($0)", "data": \#($0)}"# }
    for part in 0..<11 {
      let requests = batch[(part * 1_000)..<min(part * 1_000 + 1_000, batch.count)].joined(separator: ",")
      _ = await service.ask(.post, "/_batch", #"{"requests": [\#(requests)]}"#)
    }
    #expect(await service.get("/a/?where[@id][$ne]=7&aggregate={\"n\":\"count\"}&groupBy=@id").code == 200)
    #expect(await service.get("/a/?aggregate={\"n\":\"count\"}&groupBy=@id").data.contains("too_many_groups"))
  }
}
