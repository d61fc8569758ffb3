# What the demo's guest is updated to: the same with another name, which its login prompt shows.
{ lib, ... }:
{
  imports = [ ./configuration.nix ];
  networking.hostName = lib.mkForce "demo2";
}
