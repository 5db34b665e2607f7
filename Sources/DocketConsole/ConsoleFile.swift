/// A file of the console in the browser. All of them are compiled into the program, so that it runs without any beside it.
public struct ConsoleFile: Sendable {
  public let name: String
  public let contentType: String
  public let bytes: [UInt8]
  /// Its ETag, quotes included: another text has another one.
  public let tag: String

  private init(_ name: String, _ contentType: String, _ bytes: [UInt8]) {
    self.name = name
    self.contentType = contentType
    self.bytes = bytes
    tag = "\"\(Self.checksum(of: bytes))\""
  }

  /// nil where there is no such file.
  public static func named(_ name: String) -> ConsoleFile? { all[name] }

  private static let all: [String: ConsoleFile] = Dictionary(
    uniqueKeysWithValues: (pages + styles + scripts).map { ($0.name, $0) })

  private static let pages = [
    ConsoleFile("index.html", "text/html; charset=utf-8", PackageResources.index_html),
    ConsoleFile("icon.svg", "image/svg+xml", PackageResources.icon_svg),
  ]

  private static let styles = [
    ("base.css", PackageResources.base_css), ("layout.css", PackageResources.layout_css),
    ("screens.css", PackageResources.screens_css),
  ].map { ConsoleFile($0, "text/css; charset=utf-8", $1) }

  private static let scripts = [
    ("api.js", PackageResources.api_js), ("census.js", PackageResources.census_js),
    ("chart.js", PackageResources.chart_js), ("collections.js", PackageResources.collections_js),
    ("conflict.js", PackageResources.conflict_js), ("create.js", PackageResources.create_js),
    ("diff.js", PackageResources.diff_js), ("document.js", PackageResources.document_js),
    ("documents.js", PackageResources.documents_js), ("dom.js", PackageResources.dom_js),
    ("editing.js", PackageResources.editing_js), ("editor.js", PackageResources.editor_js),
    ("filter.js", PackageResources.filter_js), ("format.js", PackageResources.format_js),
    ("history.js", PackageResources.history_js), ("json.js", PackageResources.json_js),
    ("live.js", PackageResources.live_js), ("main.js", PackageResources.main_js),
    ("notices.js", PackageResources.notices_js), ("paths.js", PackageResources.paths_js),
    ("rail.js", PackageResources.rail_js), ("reading.js", PackageResources.reading_js),
    ("server.js", PackageResources.server_js), ("settings.js", PackageResources.settings_js),
    ("signin.js", PackageResources.signin_js), ("source.js", PackageResources.source_js),
    ("table.js", PackageResources.table_js), ("theme.js", PackageResources.theme_js),
    ("tokens.js", PackageResources.tokens_js), ("trail.js", PackageResources.trail_js),
  ].map { ConsoleFile($0, "text/javascript; charset=utf-8", $1) }

  /// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
  private static func checksum(of bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return String(hash, radix: 16)
  }
}
