import CoreMetrics
import DocketMetrics
import DocketStore
import NIOCore

/// What a server counts, under one roof for all its ways in.
public final class ServerMeters: Sendable {
  public let registry: MetricRegistry
  public let requests = RequestMeter()
  /// Of the server, such as `0.1.0`.
  public let version: String
  private let began = NIODeadline.now()

  /// - Parameter registry: what the store and the libraries are counted in.
  public init(version: String = "0", registry: MetricRegistry = ServerMeters.makeRegistry()) {
    self.version = version
    self.registry = registry
  }

  /// A registry that knows what Docket's own names mean.
  public static func makeRegistry() -> MetricRegistry {
    MetricRegistry([
      Name.connections: .init("Connections that are open."),
      Name.documentCache: .init("Memory in which documents are held at hand, of each serving thread."),
      Name.refusedConnections: .init("Connections that were refused, since there were too many."),
      StoreMetric.writeGroup: .init(
        "How many writes were committed together.", bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]),
      StoreMetric.writeGroupDuration: .init("From the beginning of a group of writes to its commit, in seconds."),
      StoreMetric.logSync: .init("How long the log took to be synced, in seconds."),
    ])
  }

  private enum Name {
    static let connections = "docket_connections"
    static let documentCache = "docket_document_cache_bytes"
    static let refusedConnections = "docket_refused_connections_total"
  }

  var uptimeSeconds: Double { Double((NIODeadline.now() - began).nanoseconds) / 1e9 }

  /// The connections of one way in.
  public struct Connections: Sendable {
    private let open: Meter
    private let refused: Counter

    public func didOpen() { open.increment() }
    public func didClose() { open.decrement() }
    public func didRefuse() { refused.increment() }

    fileprivate init(protocol name: String, _ registry: MetricRegistry) {
      open = Meter(label: Name.connections, dimensions: [("protocol", name)], factory: registry)
      refused = Counter(label: Name.refusedConnections, dimensions: [("protocol", name)], factory: registry)
    }
  }

  /// For the size of a serving thread's documents at hand, in bytes.
  /// - Parameter thread: like `native 0`.
  public func documentCache(of thread: String) -> Gauge {
    Gauge(label: Name.documentCache, dimensions: [("thread", thread)], factory: registry)
  }

  var documentCacheBytes: Int { Int(registry.total(of: Name.documentCache)) }

  /// - Parameter name: `native` or `http`.
  public func connections(protocol name: String) -> Connections { Connections(protocol: name, registry) }

  func openConnections(protocol name: String) -> Int {
    Int(registry.total(of: Name.connections, where: (name: "protocol", value: name)))
  }
}
