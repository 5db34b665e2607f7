// swift-tools-version: 6.1
import PackageDescription

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let compression = Target.Dependency.product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let httpParts = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpOne = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

/// Only `make fuzz` sets it: the modules under test then count which of their branches run, and check their memory where it
/// is `address`.
let fuzzing = Context.environment["DOCKET_FUZZ"]
let isFuzzing = fuzzing != nil
let fuzzer = fuzzing == "address" ? "-sanitize=fuzzer,address" : "-sanitize=fuzzer"
let watched: [SwiftSetting] = isFuzzing ? [.unsafeFlags([fuzzer, "-enable-testing"])] : []

let package = Package(
  name: "docket",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "docket", targets: ["docket"]),
    .library(name: "DocketClient", targets: ["DocketClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // Its router and what reads configurations are not used.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CGlibc"),
    .target(name: "DocketJSON", dependencies: [nio], swiftSettings: watched),
    .target(name: "DocketWire", dependencies: ["DocketJSON", nio], swiftSettings: watched),
    .target(name: "DocketMetrics", dependencies: [metrics, nioConcurrency]),
    .target(name: "DocketStore", dependencies: ["CGlibc", "DocketJSON", nio], swiftSettings: watched),
    .target(
      name: "Migrations", path: "Migrations",
      resources: [
        .embedInCode("m0001_documents.sql"), .embedInCode("m0002_expiry.sql"), .embedInCode("m0003_kept_answers.sql"),
        .embedInCode("m0004_collections.sql"),
        .embedInCode("m0005_collection_rules.sql"), .embedInCode("m0006_tokens.sql"),
      ]),
    .target(
      name: "DocketSQLite",
      dependencies: [
        "CGlibc", "CSQLite", "DocketJSON", "DocketStore", "Migrations", nio, nioConcurrency, deque, logging, metrics,
      ], swiftSettings: watched),
    .target(
      name: "DocketService",
      dependencies: [
        "DocketJSON", "DocketMetrics", "DocketStore", "DocketWire", nio, nioConcurrency, crypto, deque, logging,
        metrics,
      ], swiftSettings: watched),
    .target(name: "DocketTLS", dependencies: [nio, nioTLS, tls]),
    .target(
      name: "DocketServer",
      dependencies: [
        "DocketMetrics", "DocketService", "DocketStore", "DocketTLS", "DocketWire", nio, nioPosix, nioConcurrency,
        nioTLS, deque, lifecycle, logging, metrics, tls,
      ], swiftSettings: watched),
    .target(
      name: "DocketConsole",
      resources: [
        .embedInCode("Web/index.html"), .embedInCode("Web/icon.svg"), .embedInCode("Web/base.css"),
        .embedInCode("Web/layout.css"), .embedInCode("Web/screens.css"), .embedInCode("Web/access.js"),
        .embedInCode("Web/api.js"), .embedInCode("Web/backups.js"),
        .embedInCode("Web/census.js"), .embedInCode("Web/chart.js"), .embedInCode("Web/collections.js"),
        .embedInCode("Web/conflict.js"), .embedInCode("Web/create.js"), .embedInCode("Web/diff.js"),
        .embedInCode("Web/document.js"), .embedInCode("Web/documents.js"), .embedInCode("Web/dom.js"),
        .embedInCode("Web/editing.js"), .embedInCode("Web/editor.js"), .embedInCode("Web/filter.js"),
        .embedInCode("Web/format.js"), .embedInCode("Web/history.js"), .embedInCode("Web/json.js"),
        .embedInCode("Web/live.js"), .embedInCode("Web/main.js"), .embedInCode("Web/notices.js"),
        .embedInCode("Web/paths.js"), .embedInCode("Web/rail.js"), .embedInCode("Web/reading.js"),
        .embedInCode("Web/server.js"), .embedInCode("Web/settings.js"), .embedInCode("Web/signin.js"),
        .embedInCode("Web/source.js"), .embedInCode("Web/table.js"), .embedInCode("Web/theme.js"),
        .embedInCode("Web/tokens.js"), .embedInCode("Web/trail.js"),
      ]),
    .target(name: "DocketOpenAPI", resources: [.embedInCode("openapi.json")]),
    .target(
      name: "DocketHTTP",
      dependencies: [
        "DocketConsole", "DocketJSON", "DocketMetrics", "DocketOpenAPI", "DocketServer", "DocketService", "DocketStore",
        "DocketWire", compression, deque, httpOne, httpParts, httpTypes, hummingbird, lifecycle, logging, metrics, nio,
        nioConcurrency, nioHTTP,
      ], swiftSettings: watched),
    .target(
      name: "DocketClient",
      dependencies: ["DocketJSON", "DocketTLS", "DocketWire", nio, nioPosix, deque, logging, tls]),
    .executableTarget(
      name: "docket",
      dependencies: [
        "CGlibc", "DocketClient", "DocketHTTP", "DocketJSON", "DocketMetrics", "DocketServer", "DocketService",
        "DocketSQLite", "DocketStore", "DocketTLS", "DocketWire", arguments, deque, histogram, lifecycle, logging,
        metrics, nio, nioPosix, signals, tls,
      ]),

    .target(
      name: "DocketTestSupport",
      dependencies: [
        "CSQLite", "DocketClient", "DocketJSON", "DocketSQLite", "DocketStore", "DocketWire", nio, nioConcurrency,
      ],
      path: "Tests/DocketTestSupport"),
    .testTarget(name: "DocketJSONTests", dependencies: ["DocketJSON", "DocketTestSupport"]),
    .testTarget(name: "DocketMetricsTests", dependencies: ["DocketMetrics", metrics]),
    .testTarget(name: "DocketWireTests", dependencies: ["DocketJSON", "DocketTestSupport", "DocketWire", nio]),
    .testTarget(name: "DocketStoreTests", dependencies: ["DocketJSON", "DocketStore", "DocketTestSupport", nio]),
    .testTarget(
      name: "DocketSQLiteTests",
      dependencies: [
        "CSQLite", "DocketJSON", "DocketService", "DocketSQLite", "DocketStore", "DocketTestSupport", "Migrations", nio,
        nioConcurrency, logging,
      ]),
    .testTarget(
      name: "DocketServiceTests",
      dependencies: ["DocketMetrics", "DocketService", "DocketStore", "DocketTestSupport", "DocketWire", nio, logging]),
    .testTarget(
      name: "DocketServerTests",
      dependencies: [
        "DocketServer", "DocketService", "DocketStore", "DocketTestSupport", "DocketWire", nio, nioEmbedded, nioPosix,
        nioConcurrency, logging,
      ]),
    .testTarget(
      name: "DocketClientTests",
      dependencies: [
        "DocketClient", "DocketServer", "DocketService", "DocketTestSupport", "DocketWire", nio, nioPosix, logging,
      ]),
    .testTarget(
      name: "DocketCommandTests",
      dependencies: [
        "docket", "DocketClient", "DocketStore", "DocketTestSupport", "DocketWire", logging, nio, nioConcurrency,
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["docket", "DocketClient", "DocketTestSupport", "DocketWire", nio],
      exclude: ["original_exchange.py", "TLS/tls_client.py"]),

    .target(name: "CAllocationCount", path: "Tests/MicroBench/CAllocationCount"),
    .executableTarget(
      name: "MicroBench",
      dependencies: [
        "CAllocationCount", "DocketJSON", "DocketSQLite", "DocketService", "DocketStore", "DocketWire", nio,
        nioConcurrency, logging,
      ],
      path: "Tests/MicroBench",
      exclude: ["CAllocationCount"]),
  ],
  swiftLanguageModes: [.v6]
)

if isFuzzing {
  package.targets.append(
    .executableTarget(
      name: "DocketFuzz",
      dependencies: [
        "DocketHTTP", "DocketJSON", "DocketServer", "DocketService", "DocketSQLite", "DocketStore", "DocketTestSupport",
        "DocketWire", httpOne, httpParts, httpTypes, logging, nio, nioConcurrency, nioHTTP,
        nioEmbedded,
      ],
      path: "Tests/Fuzz", exclude: ["Corpus", "Regressions", "fuzz.py"],
      swiftSettings: [.unsafeFlags([fuzzer, "-enable-testing", "-parse-as-library"])],
      linkerSettings: [.unsafeFlags([fuzzer])]))
}
