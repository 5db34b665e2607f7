import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Channel {
  /// Has the kernel take no more than this beyond what is on its way through the network, which is for connections with watches. Its
  /// buffers hold megabytes otherwise, so that those who do not read are told for a long time like those who do, at their cost
  /// (tcp(7), TCP_NOTSENT_LOWAT). To be called on the channel's event loop.
  package func boundKernelBuffer() {
    #if os(Linux)
      let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_NOTSENT_LOWAT))
      // A Unix socket has no such bound, and its buffer is small.
      try? syncOptions?.setOption(option, value: 128 << 10)
    #endif
  }
}
